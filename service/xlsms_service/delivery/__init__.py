"""From the ledger to the links and back: routing, claiming, submitting, receipts."""
