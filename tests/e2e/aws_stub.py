"""S3, Secrets Manager and Parameter Store, as much as an agent asks of them. Requests must be signed well."""

import hashlib
import hmac
import http.server
import json
import threading
import urllib.parse

REGION, KEY, SECRET = "eu-west-1", "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _is_signed(handler, body, service):
    """Whether the request has the signature that AWS's "Signature Version 4 signing process" gives it."""
    fields = dict(part.strip().split("=", 1)
                  for part in handler.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(","))
    time, scope = handler.headers["X-Amz-Date"], f"{handler.headers['X-Amz-Date'][:8]}/{REGION}/{service}/aws4_request"
    digest = hashlib.sha256(body).hexdigest()
    if service == "s3" and handler.headers["X-Amz-Content-Sha256"] != digest:
        return False
    names = fields["SignedHeaders"].split(";")
    canonical = "\n".join([handler.command, handler.path, "", *(f"{name}:{handler.headers[name].strip()}" for name in names),
                           "", fields["SignedHeaders"], digest])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", time, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return fields["Credential"] == f"{KEY}/{scope}" and fields["Signature"] == _hmac(key, to_sign).hex()


class AwsStub:
    """Serves `objects` ("bucket/key" -> bytes), `secrets` (id -> text) and `parameters` (name -> text)."""

    def __init__(self):
        self.objects, self.secrets, self.parameters = {}, {}, {}
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *arguments):
                pass

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                if not _is_signed(self, b"", "s3"):
                    return self.answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
                data = stub.objects.get(urllib.parse.unquote(self.path.lstrip("/")))
                if data is None:
                    return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
                return self.answer(200, data)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                question = json.loads(body)
                is_secret = self.headers["X-Amz-Target"] == "secretsmanager.GetSecretValue"
                if not _is_signed(self, body, "secretsmanager" if is_secret else "ssm"):
                    return self.answer(400, b'{"__type": "InvalidSignatureException"}')
                if is_secret and question["SecretId"] in stub.secrets:
                    return self.answer(200, json.dumps({"SecretString": stub.secrets[question["SecretId"]]}).encode())
                if not is_secret and question["Name"] in stub.parameters:
                    value = {"Value": stub.parameters[question["Name"]]}
                    return self.answer(200, json.dumps({"Parameter": value}).encode())
                return self.answer(400, json.dumps({
                    "__type": "ResourceNotFoundException" if is_secret else "ParameterNotFound"}).encode())

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
