"""What a network is trained for: losses and samplers, apart from networks and loops."""
