{{- define "daypass-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "daypass-operator.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 45 | trimSuffix "-" -}}
{{- else if contains (include "daypass-operator.name" .) .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "daypass-operator.name" .) | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "daypass-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "daypass-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "daypass-operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "daypass-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "daypass-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "daypass-operator.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: say which one there is, or set serviceAccount.create: true" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "daypass-operator.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Values that make no sense together, each with what to do. */}}
{{- define "daypass-operator.check" -}}
{{- with .Values -}}
{{- if and .certificate.certManager.enabled .certificate.requestAutoCert -}}
{{- fail "certificate.certManager.enabled: set certificate.requestAutoCert: false, or two of them keep one Secret" -}}
{{- end -}}
{{- if and .features.webhook (not .certificate.requestAutoCert) (not .certificate.certManager.enabled) (not .webhook.caBundle) -}}
{{- fail "webhook.caBundle: the certificate is kept by hand, so say whose it is: the CA's PEM in base64" -}}
{{- end -}}
{{- if and .clusterWideSecrets .tenantNamespaces -}}
{{- fail "clusterWideSecrets: with it tenantNamespaces means nothing; leave one of them out" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A ClusterRole and its binding: dict root, suffix, rules. */}}
{{- define "daypass-operator.clusterRole" -}}
{{- $name := printf "%s%s" (include "daypass-operator.fullname" .root) .suffix }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  labels: {{- include "daypass-operator.labels" .root | nindent 4 }}
rules: {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels: {{- include "daypass-operator.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "daypass-operator.serviceAccountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}

{{/* A Role in a namespace and its binding: dict root, suffix, namespace, rules. */}}
{{- define "daypass-operator.role" -}}
{{- $name := printf "%s%s" (include "daypass-operator.fullname" .root) .suffix }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  namespace: {{ .namespace }}
  labels: {{- include "daypass-operator.labels" .root | nindent 4 }}
rules: {{- toYaml .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  namespace: {{ .namespace }}
  labels: {{- include "daypass-operator.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "daypass-operator.serviceAccountName" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end -}}
