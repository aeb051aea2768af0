/* `caraway clock`: where the clock of a running server stands, and moving it. Returns the exit status. */
#pragma once

int clock_command(int argc, char **argv); /* argv[0]: "clock" */
