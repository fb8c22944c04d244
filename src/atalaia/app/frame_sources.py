"""What the integrations' upstreams say of their frames, for the slice that keeps captures."""

from collections.abc import Mapping

from atalaia.captures.model.templates import FrameSource
from atalaia.integrations import find_integrations


def frame_sources() -> Mapping[str, FrameSource]:
    """By the upstream's name."""
    return {
        declared.name: FrameSource(declared.title, declared.frame_variables, tuple(declared.built_in_frames()))
        for loaded in find_integrations()
        if loaded.integration is not None
        for declared in loaded.integration.upstreams
    }
