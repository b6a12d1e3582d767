"""The one exception of this package: something that a person must be told in one line."""


class ClusterError(Exception):
    pass
