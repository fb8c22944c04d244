"""What agents say of a failure, in the one language that they have; a reader is told it in his own (core.retelling).

Agents are of the standard library alone, and translate nothing. tests/unit/watch/test_agent_words.py holds this against their source.
"""

from typing import Final

from atalaia.core.translations import N_

SAID: Final = (
    N_("answered {said}, expected {wanted}"),
    N_("the query answered {said}, expected {wanted}"),
    N_("header {name} is {said}, expected {wanted}"),
    N_("header {name} is missing"),
    N_("{path} is {said}, expected {wanted}"),
    N_("the body does not contain {text}"),
    N_("the body does not contain {text} (only the first {size} bytes were read)"),
    N_("the body contains {text}"),
    N_("the body is not JSON"),
    N_("more than {count} redirects, the last to {address}"),
    N_("redirected to {address}: {why}"),
    N_("not an HTTP answer: {said}"),
    N_("closed without an answer"),
    N_("closed within the headers"),
    N_("closed within the answer"),
    N_("closed after {count} of {size} bytes"),
    N_("too many interim answers"),
    N_("more than {size} bytes of headers"),
    N_("the chunked body is broken"),
    N_("the answer has more than {size} bytes"),
    N_("the collector answered {said}"),
    N_("no answer within {seconds} s"),
    N_("{command} did not answer within {seconds} s"),
    N_("timed out"),
    N_("{percent} % of the packets were lost"),
    N_("the certificate expires in {days} days"),
    N_("{name} has no {record} record"),
    N_("{names} is not among the answers: {said}"),
    N_("the answer is to another question"),
    N_("{name}: no such name"),
    N_("{name}: server failure"),
    N_("{name} is {value}, at most {limit}"),
    N_("{name} is not there"),
    N_("there is no {name} on this machine"),
    N_("{path} may not be read: {hint}"),
    N_("{command} ended with {status}: {said}"),
    N_("{count} samples, at most {limit}; name the wanted ones in `names`"),
    N_("this agent has no probe of kind {kind}"),
    N_("this agent's settings do not allow {address}"),
    N_("{name} is not a host name"),
    N_("{name} did not answer with JSON"),
    N_("/etc/resolv.conf names no server; set the option resolver"),
)
# Of the operating system and of TLS, as agents pass them on.
PASSED_ON: Final = (
    N_("Connection reset by peer"),
    N_("No route to host"),
    N_("Network is unreachable"),
    N_("Name or service not known"),
    N_("No address associated with hostname"),
    N_("Temporary failure in name resolution"),
    N_("certificate has expired"),
    N_("self-signed certificate"),
    N_("self-signed certificate in certificate chain"),
    N_("unable to get local issuer certificate"),
    N_("Hostname mismatch, certificate is not valid for {name}."),
    N_("IP address mismatch, certificate is not valid for {name}."),
)
