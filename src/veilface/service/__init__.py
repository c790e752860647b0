"""The HTTP service: `Protector`, `verify` and a gallery behind FastAPI, one set of networks."""
