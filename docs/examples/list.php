<?php
// Seats API: lists the organization's seats, page by page, and prints their ids.
// Needs HEADCOUNT_API (base address) and HEADCOUNT_SEATS_API_KEY, PHP 8 and Guzzle 7: composer require guzzlehttp/guzzle, or
// Debian's php-guzzlehttp-guzzle. HEADCOUNT_PAGE is how many a page has, 100 otherwise.

declare(strict_types=1);

$autoloaders = [getcwd() . '/vendor/autoload.php', '/usr/share/php/GuzzleHttp/autoload.php'];
require current(array_filter($autoloaders, 'is_file'));

use GuzzleHttp\Client;
use GuzzleHttp\HandlerStack;
use GuzzleHttp\Middleware;

$busy = fn ($retries, $request, $response, $error) =>
    $retries < 3 && ($error !== null || in_array($response->getStatusCode(), [429, 503], true));
$wait = fn ($retries, $response) => 1000 * (int) ($response?->getHeaderLine('Retry-After') ?: 1);
$handler = HandlerStack::create();
$handler->push(Middleware::retry($busy, $wait));
$client = new Client(['base_uri' => getenv('HEADCOUNT_API'), 'handler' => $handler, 'timeout' => 30]);

$cursor = null;
do {
    $response = $client->post('/accounts', [
        'http_errors' => false,
        'headers' => ['Authorization' => 'Bearer ' . getenv('HEADCOUNT_SEATS_API_KEY')],
        'json' => ['limit' => (int) (getenv('HEADCOUNT_PAGE') ?: 100), 'cursor' => $cursor],
    ]);
    $body = json_decode((string) $response->getBody(), true);
    if ($response->getStatusCode() !== 200) {
        fprintf(STDERR, "%d %s: %s\n", $response->getStatusCode(), $body['error'] ?? '', $body['message']);
        foreach ($body['errors'] ?? [] as $fault) {
            fprintf(STDERR, "  %s: %s\n", $fault['field'], $fault['message']);
        }
        exit(1);
    }
    foreach ($body['data'] as $account) {
        echo $account['id'], "\n";
    }
    // A page may be empty, and not the last one.
    $cursor = $body['next_cursor'];
} while ($cursor !== null);
