"""The render engine beside torch-lucent, beside the bare network, and beside itself."""
