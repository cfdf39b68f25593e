"""Put first on ``PYTHONPATH``, with ``TRITON_INTERPRET=1``, lets vLLM use its newer model runner on a CPU.

That runner replays given tokens, and needs Triton with a backend for the device; there is none for CPUs in Triton's own
distribution, but Triton interprets kernels without any. vLLM, built for CPUs, asks for a backend called ``cpu`` only.
"""

from triton import backends


class InterpretedDriver:
    """Says that it works here; interpreted kernels do not ask it for anything else."""

    @staticmethod
    def is_active() -> bool:
        return True


backends.backends["cpu"] = backends.Backend(compiler=None, driver=InterpretedDriver)
