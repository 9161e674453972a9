"""Argo CD: from the overlays to the Applications that deploy them, one cluster or forty.

    argocd/root.yaml                        an ApplicationSet over the folders below
    argocd/health.yaml                      the health of an Application, with what is wrong with it
    argocd/clusters/<cluster>/              what Argo CD has for one cluster:
        appprojects.yaml                    what its Applications may deploy, and where
        external-secrets.yaml               wave 0: ESO's Helm chart, with its CRDs
        <overlay>.yaml                      wave 1: an ApplicationSet over the folders of an overlay
        kustomization.yaml

An overlay is an Application for each namespace, and one for what is of the cluster, so that no app waits for
another. The names of Applications do not depend on how many clusters there are: a second cluster renames
nothing.
Source: Argo CD docs (operator-manual/cluster-bootstrapping, applicationset, sync-options, sync-waves,
health); what Argo CD really does with each of these settings stands in docs/decisions/0009.
"""
