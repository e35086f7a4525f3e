"""Numbers that remember how they were made, the arrays they stand in, and the printers that write them down."""
