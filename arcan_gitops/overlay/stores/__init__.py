"""SecretStores and ClusterSecretStores: one module for each kind of backend."""
