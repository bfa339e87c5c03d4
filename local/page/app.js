/* Graph-to-Open console */
