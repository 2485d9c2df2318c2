"""What every test run shares: the kernels that nbval starts, two at a time, do not meet on a port."""

import nbval.kernel
from jupyter_client.manager import KernelManager
from kernels import private_sockets

nbval.kernel.KernelManager = lambda **options: KernelManager(**private_sockets(), **options)
