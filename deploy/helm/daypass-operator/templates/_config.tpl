{{/* What `daypass operator --config` reads. */}}
{{- define "daypass-operator.config" -}}
{{- $certificate := dict "mode" "secret" "secretName" .Values.certificate.secretName -}}
{{- if .Values.certificate.requestAutoCert -}}
{{- $certificate = dict "mode" "auto" "signerName" .Values.certificate.signerName "ownCa" .Values.certificate.ownCa -}}
{{- end -}}
{{- $clusters := list -}}
{{- range .Values.clusters -}}
{{- $cluster := omit . "kubeconfigSecret" "caConfigMap" -}}
{{- if .kubeconfigSecret -}}
{{- $cluster = set $cluster "kubeconfig" (printf "/etc/daypass/clusters/%s/kubeconfig" .name) -}}
{{- end -}}
{{- if .caConfigMap -}}
{{- $cluster = set $cluster "caFile" (printf "/etc/daypass/clusters/%s/ca.crt" .name) -}}
{{- end -}}
{{- $clusters = append $clusters $cluster -}}
{{- end -}}
{{- $config := dict
  "address" "0.0.0.0:4223"
  "operationsAddress" "0.0.0.0:9002"
  "insecurePlainHttp" true
  "serviceName" .Values.service.name
  "clusterName" .Values.clusterName
  "clusterDomain" .Values.clusterDomain
  "audiences" .Values.audiences
  "identity" .Values.identity
  "tokenCacheSeconds" .Values.tokenCacheSeconds
  "staleAfterSeconds" .Values.staleAfterSeconds
  "certificate" $certificate
  "features" (deepCopy .Values.features)
  "watchedNamespaces" .Values.watchedNamespaces
  "clusters" $clusters -}}
{{- if .Values.features.webhook -}}
{{- $_ := set $config "webhookAddress" "0.0.0.0:8443" -}}
{{- if and .Values.certificate.requestAutoCert (not .Values.webhook.caBundle) -}}
{{- $_ := set $config "webhookConfiguration" (include "daypass-operator.fullname" .) -}}
{{- end -}}
{{- end -}}
{{- toYaml (mergeOverwrite $config (deepCopy .Values.config)) -}}
{{- end -}}
