"""Typical wrong answers to the chapters' exercises, each with words that the hint must contain."""
