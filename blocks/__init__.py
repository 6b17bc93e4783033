"""Function blocks: pure columns in, columns out, executed in order once per scan."""
