"""What every test run shares: nbval's kernels do not meet on a port, and find the data wherever they start."""

import nbval.kernel
from jupyter_client.manager import KernelManager
from kernels import anchor_data_folder, private_sockets

anchor_data_folder()
nbval.kernel.KernelManager = lambda **options: KernelManager(**private_sockets(), **options)
