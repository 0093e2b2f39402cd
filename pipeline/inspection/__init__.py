"""Look into a finished release."""
