<!doctype html>
<html><head><title>Sign in</title></head><body>Please sign in to continue.</body></html>
