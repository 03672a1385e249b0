"""The live process: camera -> faces -> motion -> events -> ZeroMQ, one module a stage, in the order data flows."""
