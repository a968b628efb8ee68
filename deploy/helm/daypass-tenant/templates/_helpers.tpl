{{- define "daypass-tenant.name" -}}
{{- $name := default .Release.Name .Values.name -}}
{{- if gt (len $name) 42 -}}
{{- fail (printf "name: %s is longer than 42 characters; say a shorter one" $name) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "daypass-tenant.selectorLabels" -}}
app.kubernetes.io/name: daypass-tenant
app.kubernetes.io/instance: {{ include "daypass-tenant.name" . }}
{{- end -}}

{{- define "daypass-tenant.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "daypass-tenant.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "daypass-tenant.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "daypass-tenant.rootSecret" -}}
{{- default (printf "%s-root" (include "daypass-tenant.name" .)) .Values.rootCredentials.existingSecret -}}
{{- end -}}

{{- define "daypass-tenant.keysSecret" -}}
{{- default (printf "%s-session-keys" (include "daypass-tenant.name" .)) .Values.sessionKeys.existingSecret -}}
{{- end -}}

{{- define "daypass-tenant.operatorSecret" -}}
{{- default (printf "%s-operator" (include "daypass-tenant.name" .)) .Values.endSessions.existingSecret -}}
{{- end -}}

{{/* The Secret with the certificate; empty without TLS. */}}
{{- define "daypass-tenant.tlsSecret" -}}
{{- with .Values.tls -}}
{{- if .secretName -}}
{{- .secretName -}}
{{- else if .certManager.enabled -}}
{{- include "daypass-tenant.name" $ }}-tls
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Values that make no sense together, each with what to do. */}}
{{- define "daypass-tenant.check" -}}
{{- with .Values.tls -}}
{{- if and .secretName .certManager.enabled -}}
{{- fail "tls: either secretName, which somebody keeps, or certManager.enabled; not both" -}}
{{- end -}}
{{- if and .insecurePlainHttp (include "daypass-tenant.tlsSecret" $) -}}
{{- fail "tls.insecurePlainHttp: there is a certificate, so leave it out" -}}
{{- end -}}
{{- if not (or .insecurePlainHttp (include "daypass-tenant.tlsSecret" $)) -}}
{{- fail "tls: say secretName, or certManager.enabled: true; or insecurePlainHttp: true, and let credentials and data be read on the way" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What `daypass server --config` reads. */}}
{{- define "daypass-tenant.config" -}}
{{- $config := dict
  "address" "0.0.0.0:9000"
  "operationsAddress" "0.0.0.0:9002"
  "insecurePlainHttp" true
  "region" .Values.region
  "sharedSessionKeys" (dict
    "dir" "/etc/daypass/session-keys"
    "tenantName" (printf "%s/%s" .Release.Namespace (include "daypass-tenant.name" .))) -}}
{{- if include "daypass-tenant.tlsSecret" . -}}
{{- $_ := set $config "tls" (dict "certFile" "/etc/daypass/tls/tls.crt" "keyFile" "/etc/daypass/tls/tls.key") -}}
{{- end -}}
{{- if .Values.endSessions.enabled -}}
{{- $statement := dict "Effect" "Allow" "Action" "admin:RevokeTenantSessions" -}}
{{- $key := dict "accessKeyId" .Values.endSessions.accessKeyId "secretAccessKey" (dict "file" "/etc/daypass/operator/secretAccessKey") -}}
{{- $_ := set $config "policies" (dict "daypass-operator" (dict "Version" "2012-10-17" "Statement" (list $statement))) -}}
{{- $_ := set $config "users" (dict "daypass-operator" (dict "policies" (list "daypass-operator") "accessKeys" (list $key))) -}}
{{- end -}}
{{- toYaml (merge $config (deepCopy .Values.config)) -}}
{{- end -}}
