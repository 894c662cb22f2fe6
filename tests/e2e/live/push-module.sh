# Puts the module that it reads into the lab's registry under the tag $0, as an OCI artifact (Istio's pkg/wasm/imagefetcher.go).
set -e
to=http://registry.lab:5000/v2/linsun/helloworld file=$(mktemp)
trap 'rm -f "$file"' EXIT
blob() {
  digest=sha256:$(sha256sum <"$file" | cut -d' ' -f1)
  at=$(curl -sSf -o /dev/null -D - -X POST "$to/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
  curl -sSf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$file" "$at&digest=$digest"
  blob="{\"mediaType\": \"application/vnd.module.wasm.$1\", \"digest\": \"$digest\", \"size\": $(wc -c <"$file")}"
}
cat >"$file"
blob content.layer.v1+wasm
module=$blob
echo '{}' >"$file"
blob config.v1+json
type=application/vnd.oci.image.manifest.v1+json
curl -sSf -X PUT -H "Content-Type: $type" "$to/manifests/$0" --data-binary @- <<END
{"schemaVersion": 2, "mediaType": "$type", "config": $blob, "layers": [$module, $blob]}
END
