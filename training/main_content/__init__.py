"""How the model of main content is trained: from pages with known main content to `pipeline/kernels/html/main_content.npz`."""
