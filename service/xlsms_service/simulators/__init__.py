"""Networks to rehearse with: servers that speak the real protocols, and the virtual phones behind them."""
