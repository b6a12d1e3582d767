"""Tables of docs/operations.md, made from what the services say of themselves."""
