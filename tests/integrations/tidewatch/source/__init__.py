"""A small integration as somebody else might write it: tides are read, and a gate is moved."""

from .integration import Tidewatch

integration = Tidewatch()
