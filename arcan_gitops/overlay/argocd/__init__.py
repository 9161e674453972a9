"""Argo CD: from the overlays to the Applications that deploy them, one cluster or forty.

    argocd/root.yaml                        an ApplicationSet over the folders below
    argocd/health.yaml                      the health of an Application, without which waves do not wait
    argocd/clusters/<cluster>/              the app of apps of one cluster:
        appprojects.yaml                    what its Applications may deploy, and where
        external-secrets.yaml               wave 0: ESO's Helm chart, with its CRDs
        <overlay>.yaml                      wave 1: an overlay
        kustomization.yaml

The names of Applications do not depend on how many clusters there are: a second cluster renames nothing.
Source: Argo CD docs (operator-manual/cluster-bootstrapping, sync-options, sync-waves, health).
"""
