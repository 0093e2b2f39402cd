"""HTML in kernels: a tokenizer and a tree builder by the HTML standard, over UTF-8 bytes.

Importing this package imports nothing else of it, so that recipes without HTML compile and load no kernel of it.
"""
