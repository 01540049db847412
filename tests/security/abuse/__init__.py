"""What is tried against the product, each by hand once and from then on at every run; the sentences are the cases."""
