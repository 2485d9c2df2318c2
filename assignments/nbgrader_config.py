"""An nbgrader course whose autograder runs a student's code outside the tests. Start nbgrader in this folder."""

from nbgrader.converters.autograde import Autograde
from nbgrader.preprocessors import Execute

from assignments.grading.nbgrader_engine import ExecuteOutside

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "sequence_models"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
c.Autograde.autograde_preprocessors = [
    ExecuteOutside if step is Execute else step for step in Autograde.autograde_preprocessors.default_args[0]
]
