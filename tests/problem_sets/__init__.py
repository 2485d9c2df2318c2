"""Right and wrong answers to the problem sets."""


def changed(source, *changes):
    """A source with some of its text replaced, which must be there: (old, new), ..."""
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source
