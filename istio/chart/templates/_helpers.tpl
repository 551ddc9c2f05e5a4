{{/* What WasmPlugin and the wasm part of TrafficExtension have in common. */}}
{{- define "bodyguard.wasm" -}}
url: {{ .Values.image.url }}
sha256: {{ .Values.image.sha256 | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.image.pullSecret }}
imagePullSecret: {{ . }}
{{- end }}
pluginName: bodyguard
failStrategy: {{ .Values.failStrategy }}
pluginConfig:
  {{- include "bodyguard.policy" (list . false) | nindent 2 }}
{{- end }}

{{/* The policy for a filter that holds headers, or does not. */}}
{{- define "bodyguard.policy" -}}
{{- $root := index . 0 }}
{{- $policy := $root.Values.policy | default ($root.Files.Get "policy.yaml" | fromYaml) }}
{{- $spec := set (deepCopy $policy.spec) "allow_on_headers_stop_iteration" (index . 1) }}
{{- with $policy.metadata }}
metadata:
  name: {{ .name }}
{{- end }}
spec:
  {{- toYaml $spec | nindent 2 }}
{{- end }}

{{/* Which proxies, for WasmPlugin and TrafficExtension. */}}
{{- define "bodyguard.target" -}}
{{- with .Values.targetRefs }}
targetRefs:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.selector }}
selector:
  matchLabels:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- with .Values.match }}
match:
  {{- toYaml . | nindent 2 }}
{{- end }}
phase: {{ .Values.phase }}
priority: {{ .Values.priority }}
{{- end }}
