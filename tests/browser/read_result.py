# Runs after the code of docs/CONNECT.md: reads the results that a browser brought, as JSON, and prints their content.
import json
import sys

try:
    print(json.dumps(read_result(**json.load(sys.stdin))))
except jwt.InvalidTokenError as error:
    sys.exit(type(error).__name__)
