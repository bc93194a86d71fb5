{{- define "glassine.name" -}}
{{- $name := default .Chart.Name .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- if contains "glassine" $name }}{{ $name }}{{ else }}{{ printf "%s-glassine" $name }}{{ end -}}
{{- end }}

{{- define "glassine.selector" -}}
app.kubernetes.io/name: glassine
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "glassine.labels" -}}
{{ include "glassine.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "glassine.metadata" -}}
metadata:
  name: {{ include "glassine.name" . }}
  labels: {{- include "glassine.labels" . | nindent 4 }}
{{- end }}

{{- define "glassine.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "glassine.kind" -}}
{{ if .Values.audit.volume.enabled }}StatefulSet{{ else }}Deployment{{ end }}
{{- end }}

{{- define "glassine.ownRules" -}}
{{ if .Values.existingRules }}{{ .Values.existingRules }}{{ else if .Values.rules }}{{ include "glassine.name" . }}-rules{{ end }}
{{- end }}
