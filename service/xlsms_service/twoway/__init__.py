"""What phones answer: reassembled, matched to the row it belongs to."""
