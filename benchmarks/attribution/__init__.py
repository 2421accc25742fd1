"""Study: which baseline of attributions names what a cell's images show, on networks that are trained here."""
