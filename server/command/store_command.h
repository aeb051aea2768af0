/* The commands for the database as a whole. check, backup and export ask the running server, and read the data
 * directory themselves when there is none; restore, import and compact want the server stopped. Each returns the exit
 * status. */
#pragma once

#include "server/command/command.h"

int check_command(const struct command_line *line);   /* 1 when it found something */
int backup_command(const struct command_line *line);  /* FILE appears when it is whole */
int restore_command(const struct command_line *line); /* only where there is no database */
int export_command(const struct command_line *line);
int import_command(const struct command_line *line);
int compact_command(const struct command_line *line);
