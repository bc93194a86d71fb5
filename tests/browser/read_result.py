# After the code of docs/CONNECT.md: reads what a browser brought back, as JSON, and prints what it says.
import json
import sys

try:
    print(json.dumps(read_result(**json.load(sys.stdin))))
except jwt.InvalidTokenError as error:
    sys.exit(type(error).__name__)
