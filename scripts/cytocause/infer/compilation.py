"""How the kernels of this room are compiled."""

KERNEL = {
    "cache": True,
    "nogil": True,
    # neither checks of divisors, which no kernel relies on, nor wrappers for C: together a seventh of the first start
    "error_model": "numpy",
    "no_cfunc_wrapper": True,
}
