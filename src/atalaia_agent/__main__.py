import sys

from atalaia_agent.main import main

sys.exit(main())
