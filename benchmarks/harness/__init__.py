"""What every benchmark needs: rows, paired timing, the machine's name, reports, and their tables in the documents."""
