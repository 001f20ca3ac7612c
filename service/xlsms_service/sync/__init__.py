"""From workbooks to the ledger and from the ledger to workbooks."""
