vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "{backend_port}"; }
sub vcl_recv { return (synth(503, "Scheduled maintenance")); }
sub vcl_synth { set resp.http.Retry-After = "1800"; set resp.http.Content-Type = "text/html"; synthetic("<h1>We will be back soon</h1>"); return (deliver); }
