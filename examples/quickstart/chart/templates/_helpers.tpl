{{/* The service's name: the app.kubernetes.io/name label and the container. */}}
{{- define "quickstart.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of the release's objects; a release called like the chart does not repeat it. */}}
{{- define "quickstart.fullname" -}}
{{- $name := include "quickstart.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "quickstart.version" -}}
{{- default .Chart.AppVersion .Values.version }}
{{- end }}

{{/* The digest wins: it names exactly the image that was built. */}}
{{- define "quickstart.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The labels by which Service and Deployment find their pods; they never change. */}}
{{- define "quickstart.selectorLabels" -}}
app.kubernetes.io/name: {{ include "quickstart.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The labels of the pods; without helm.sh/chart, which would roll them for a change of chart. */}}
{{- define "quickstart.podLabels" -}}
{{ include "quickstart.selectorLabels" . }}
app.kubernetes.io/version: {{ regexReplaceAll "[^A-Za-z0-9._-]" (include "quickstart.version" .) "_" | trunc 63 | trimAll "._-" | quote }}
{{- end }}

{{- define "quickstart.labels" -}}
{{ include "quickstart.podLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The fault switches as environment variables; the large numbers of YAML are floats, hence int. */}}
{{- define "quickstart.faults" -}}
{{- with .Values.fault -}}
- name: FAULT_ERROR_RATE
  value: {{ .errorRate | quote }}
- name: FAULT_LATENCY_MS
  value: {{ int .latencyMs | quote }}
- name: FAULT_CRASH_AT_START
  value: {{ .crashAtStart | quote }}
- name: FAULT_READINESS
  value: {{ .readiness | quote }}
{{- end }}
{{- end }}
