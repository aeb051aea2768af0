/* What the server acknowledged, a line each as soon as it did, for whoever kills the server and looks afterwards:
 *   account URL
 *   order URL NAME
 *   valid NAME                  the authorization
 *   certificate URL NAME DER    base64url of the leaf */
#pragma once

#include "base/bytes.h"

#include <stdio.h>

MUST_USE FILE *tc_load_record_open(const char *path); /* appends; NULL: errno says why */
/* A flow's progress ("account", "order", "valid" and its text); other steps are no acknowledgement. */
void tc_load_record_progress(FILE *record, const char *step, const char *text, const char *name);
void tc_load_record_certificate(FILE *record, const char *url, const char *name, struct bytes chain);
