/* `caraway limit`: what is left, giving it back, overrides. Returns the exit status. */
#pragma once

int limit_command(int argc, char **argv); /* argv[0]: "limit" */
