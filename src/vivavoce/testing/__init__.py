"""What tests of voice programs need; ships with the package and serves our own tests too."""
