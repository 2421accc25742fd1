"""Stage ``predict``: does what an atlas attributes to classes foretell what changes their logits?"""
