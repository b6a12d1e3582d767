"""What the tests of deploy/k8s share."""
