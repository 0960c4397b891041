"""What a process is started with to compute by JAX on the processor."""

ENVIRONMENT = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    # what is compiled here runs once or twice: compile it quickly
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
}
