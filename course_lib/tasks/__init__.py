"""Small tasks with known answers: each yields inputs, targets, and the best score that any model could reach."""

from course_lib.tasks.arithmetic import PADS, addition, answer, arithmetic, parity_pad, worked
from course_lib.tasks.automata import Automaton, automaton_states, composed, flip_flop, random_automaton
from course_lib.tasks.language import (
    SENTIMENT_WORDS,
    TAGGING_WORDS,
    TAGS,
    sentiment,
    sentiment_ceilings,
    tag_posterior,
    tagging,
    tagging_ceilings,
)
from course_lib.tasks.memory import adding, delayed_recall, key_value_recall, latch, parity
from course_lib.tasks.pictures import CAPTION_WORDS, Thing, caption_entropy, captions, describes
from course_lib.tasks.sequences import copying, repeated, reversal
from course_lib.tasks.series import ar2, ar2_error, ar2_forecast, ar2_variance, forecasting
from course_lib.tasks.task import Task

__all__ = [
    "CAPTION_WORDS",
    "PADS",
    "SENTIMENT_WORDS",
    "TAGGING_WORDS",
    "TAGS",
    "Automaton",
    "Task",
    "Thing",
    "adding",
    "addition",
    "answer",
    "ar2",
    "ar2_error",
    "ar2_forecast",
    "ar2_variance",
    "arithmetic",
    "automaton_states",
    "caption_entropy",
    "captions",
    "composed",
    "copying",
    "delayed_recall",
    "describes",
    "flip_flop",
    "forecasting",
    "key_value_recall",
    "latch",
    "parity",
    "parity_pad",
    "random_automaton",
    "repeated",
    "reversal",
    "sentiment",
    "sentiment_ceilings",
    "tag_posterior",
    "tagging",
    "tagging_ceilings",
    "worked",
]
